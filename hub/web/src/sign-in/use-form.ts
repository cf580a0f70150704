import { type FormEvent, useState } from 'react'

export type Errors<Names extends string> = Partial<Record<Names, string>>

/** Text fields that are checked when sent and, from then on, while a person mends them. */
export function useForm<Names extends string>(
  initial: Record<Names, string>,
  check: (values: Record<Names, string>) => Errors<Names>,
) {
  const [values, setValues] = useState(initial)
  const [sent, setSent] = useState(false)
  const errors = sent ? check(values) : {}
  return {
    values,
    field: (name: Names) => ({
      value: values[name],
      error: (errors as Errors<Names>)[name],
      onChange: (event: { currentTarget: { value: string } }) => {
        const { value } = event.currentTarget
        setValues((before) => ({ ...before, [name]: value }))
      },
    }),
    /** Empties the fields, for another go. */
    clear: () => {
      setValues(initial)
      setSent(false)
    },
    /** Calls back when all is well; otherwise the first wrong field gets the cursor. */
    onSubmit: (send: (values: Record<Names, string>) => void) => (event: FormEvent<HTMLFormElement>) => {
      event.preventDefault()
      setSent(true)
      const names = Object.keys(check(values))
      const first = names[0]
      if (first === undefined) send(values)
      else event.currentTarget.querySelector<HTMLElement>(`[name="${first}"]`)?.focus()
    },
  }
}

/** True for what looks like a mail address; the hub decides. */
export const looksLikeMail = (text: string): boolean => /^\S+@\S+\.\S+$/.test(text)
