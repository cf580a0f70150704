import { useEffect, useState } from 'react'

/** While it is shown the focus is elsewhere; then it is back where it was, as long as that is still there. */
export function useFocusBack(): void {
  const [before] = useState(() => document.activeElement)
  useEffect(
    () => () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    },
    [before],
  )
}
