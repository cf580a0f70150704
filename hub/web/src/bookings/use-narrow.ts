import { useSyncExternalStore } from 'react'

const query = '(max-width: 700px)'

function listen(listener: () => void): () => void {
  const media = matchMedia(query)
  media.addEventListener('change', listener)
  return () => media.removeEventListener('change', listener)
}

/** Whether the window is as narrow as a phone. */
export const useNarrow = (): boolean => useSyncExternalStore(listen, () => matchMedia(query).matches)
