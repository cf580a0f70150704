import { Checkbox } from '@mantine/core'
import { useId } from 'react'
import styles from './permissions.module.css'

interface Choice {
  readonly value: string
  readonly label: string
  /** How deep it lies within others. */
  readonly depth?: number
}

interface Props {
  readonly label: string
  readonly choices: readonly Choice[]
  readonly chosen: ReadonlySet<string>
  /** What has all others in it, and so is never chosen with them. */
  readonly alone?: string
  readonly onChange: (chosen: ReadonlySet<string>) => void
}

/** Any number of these. */
export function Choices({ label, choices, chosen, alone, onChange }: Props) {
  const id = useId()
  const choose = (value: string, on: boolean) => {
    if (value === alone) return onChange(new Set(on ? [value] : []))
    const next = new Set([...chosen].filter((one) => one !== alone && one !== value))
    if (on) next.add(value)
    onChange(next)
  }
  return (
    <fieldset className={styles.choices} aria-labelledby={id}>
      <legend id={id}>{label}</legend>
      {choices.map((choice) => (
        <Checkbox
          key={choice.value}
          label={choice.label}
          ml={20 * (choice.depth ?? 0)}
          checked={chosen.has(choice.value)}
          onChange={(event) => choose(choice.value, event.currentTarget.checked)}
        />
      ))}
    </fieldset>
  )
}
