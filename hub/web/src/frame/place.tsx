import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'

const PlaceContext = createContext<{ place: string | undefined; set: (place: string | undefined) => void }>({
  place: undefined,
  set: () => {},
})

/** Lets pages say where in their section they are. */
export function PlaceProvider({ children }: { children: ReactNode }) {
  const [place, set] = useState<string>()
  return <PlaceContext value={{ place, set }}>{children}</PlaceContext>
}

/** The name that the present page gave itself. */
export const usePlace = () => useContext(PlaceContext).place

/** Names the present page in the top line and in the window's title. */
export function useTitle(title: string, place?: string) {
  const { set } = useContext(PlaceContext)
  useEffect(() => {
    document.title = title === '' ? 'Fernlab' : `${title} · Fernlab`
    set(place)
    return () => set(undefined)
  }, [title, place, set])
}
