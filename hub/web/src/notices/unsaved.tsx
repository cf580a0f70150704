import { useBlocker } from '@tanstack/react-router'
import {
  createContext,
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react'

const LeaveQuestion = lazy(() => import('./leave-question.tsx'))

/** Whether a form holds what nobody has saved. */
type Holds = () => boolean

const noForms: Set<Holds> = new Set()
const Forms = createContext(noForms)

/** Where one's turn has come, as a bench that waits leaves no time for questions; and where those go who can save nothing more. */
const atOnce = /^\/(sessions\/[^/]+|sign-in)$/

/** Asks, before a form within is left for another page or closed with its window, where something would be lost. */
export function UnsavedForms({ children }: { children: ReactNode }) {
  const forms = useMemo(() => new Set<Holds>(), [])
  const isHeld = useCallback(() => [...forms].some((holds) => holds()), [forms])
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => next.pathname !== current.pathname && !atOnce.test(next.pathname) && isHeld(),
    enableBeforeUnload: isHeld,
    withResolver: true,
  })
  return (
    <Forms.Provider value={forms}>
      {children}
      {status === 'blocked' ? (
        <Suspense>
          <LeaveQuestion onLeave={proceed} onStay={reset} />
        </Suspense>
      ) : null}
    </Forms.Provider>
  )
}

export interface Unsaved {
  /** What is in the form now, to be kept when the hub has taken it. */
  readonly now: () => string
  /** What was in the form is saved, as it is now unless said otherwise; asks no more until it is changed again. */
  readonly kept: (as?: string) => void
  /** For ways out of a dialog that are easily taken by mistake: closes it, after a question where something would be lost. */
  readonly leave: () => void
  /** The question, to be put into the dialog. */
  readonly question: ReactNode
}

/** Watches what is typed into a form; with `onClose`, for one in a dialog. What it had at first counts as saved. */
export function useUnsaved(values: unknown, onClose?: () => void): Unsaved {
  const forms = useContext(Forms)
  const text = JSON.stringify(values)
  const current = useRef(text)
  const saved = useRef(text)
  const [asking, setAsking] = useState(false)
  /** From the question until the end of the event that answers it: the Escape key that means Stay reaches the dialog below, too. */
  const isAsked = useRef(false)
  const answered = () => {
    setAsking(false)
    setTimeout(() => {
      isAsked.current = false
    })
  }
  useEffect(() => {
    current.current = text
  }, [text])
  const holds = useCallback(() => current.current !== saved.current, [])
  useEffect(() => {
    forms.add(holds)
    return () => void forms.delete(holds)
  }, [forms, holds])
  return {
    now: () => text,
    kept: (as = current.current) => {
      saved.current = as
    },
    leave: () => {
      if (isAsked.current) return
      if (!holds()) return onClose?.()
      isAsked.current = true
      setAsking(true)
    },
    question: asking ? (
      <Suspense>
        <LeaveQuestion
          onStay={answered}
          onLeave={() => {
            answered()
            onClose?.()
          }}
        />
      </Suspense>
    ) : null,
  }
}
