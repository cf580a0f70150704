import type { Term, Terms } from '@fernlab/shared/contracts/permissions'
import { termNames } from '@fernlab/shared/contracts/terms'
import { Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { useWords } from '../words/use-words.ts'
import styles from './permissions.module.css'

/** What is typed: text for numbers, where empty is no limit. */
export type TermInputs = Readonly<Record<Term, string | boolean>>

const minute = 60
/** Seconds of one of what the field counts. */
const units: Partial<Record<Term, number>> = {
  sessionS: minute,
  dayS: minute,
  weekS: minute,
  bookAheadS: 86_400,
}
const numbers = ['priority', 'mostOpen', 'dayS', 'weekS', 'sessionS', 'bookAheadS', 'mostBookings'] as const
const switches = ['mayQueue', 'mayBook', 'mayBeBumped', 'countsSetup'] as const

/** The fields for these terms. */
export function inputsOf(gives: Terms): TermInputs {
  return Object.fromEntries(
    termNames.map((term) => {
      const value = gives[term]
      if (typeof value === 'boolean') return [term, value]
      return [term, value === null ? '' : String(value / (units[term] ?? 1))]
    }),
  ) as TermInputs
}

/** The terms that the fields say, and those fields that can't be. */
export function termsOf(inputs: Partial<TermInputs>): { gives: Partial<Terms>; wrong: readonly Term[] } {
  const gives: Partial<Record<Term, number | boolean | null>> = {}
  const wrong: Term[] = []
  for (const term of termNames) {
    const input = inputs[term]
    if (input === undefined) continue
    if (typeof input === 'boolean') gives[term] = input
    else if (input.trim() === '' && term !== 'priority') gives[term] = null
    else {
      const value = Number(input) * (units[term] ?? 1)
      const least = term === 'priority' ? 1 : 0
      const most = term === 'priority' ? 100 : term in units ? 366 * 86_400 : 100_000
      if (input.trim() === '' || !Number.isInteger(value) || value < least || value > most) wrong.push(term)
      else gives[term] = value
    }
  }
  return { gives: gives as Partial<Terms>, wrong }
}

interface Props {
  readonly inputs: TermInputs
  readonly wrong: readonly Term[]
  readonly onChange: (term: Term, input: string | boolean) => void
}

/** A field for each term. */
export function TermsFields({ inputs, wrong, onChange }: Props) {
  const { t } = useWords()
  return (
    <>
      <div className={styles.switches}>
        {switches.map((term) => (
          <Checkbox
            key={term}
            label={t(`permissions.terms.${term}`)}
            checked={inputs[term] === true}
            onChange={(event) => onChange(term, event.currentTarget.checked)}
          />
        ))}
      </div>
      <div className={styles.numbers}>
        {numbers.map((term) => (
          <NumberField key={term} term={term} inputs={inputs} wrong={wrong} onChange={onChange} />
        ))}
      </div>
    </>
  )
}

function NumberField({ term, inputs, wrong, onChange }: Props & { term: (typeof numbers)[number] }) {
  const { t } = useWords()
  return (
    <TextInput
      label={t(`permissions.fields.${term}`)}
      inputMode="numeric"
      {...(term === 'priority' ? {} : { placeholder: t('permissions.noLimit') })}
      value={String(inputs[term])}
      error={wrong.includes(term) ? t(`permissions.wrong.${term === 'priority' ? 'priority' : 'number'}`) : undefined}
      onChange={(event) => onChange(term, event.currentTarget.value)}
    />
  )
}

/** One term and its value, to change many permissions. */
export function OneTerm({
  term,
  inputs,
  wrong,
  onTerm,
  onChange,
}: Props & { term: Term; onTerm: (term: Term) => void }) {
  const { t } = useWords()
  const number = numbers.find((one) => one === term)
  return (
    <>
      <NativeSelect
        label={t('permissions.whichTerm')}
        value={term}
        data={[...numbers, ...switches].map((one) => ({ value: one, label: t(`permissions.terms.${one}`) }))}
        onChange={(event) => onTerm(event.currentTarget.value as Term)}
      />
      {number === undefined ? (
        <Checkbox
          label={t(`permissions.terms.${term}`)}
          checked={inputs[term] === true}
          onChange={(event) => onChange(term, event.currentTarget.checked)}
        />
      ) : (
        <NumberField term={number} inputs={inputs} wrong={wrong} onChange={onChange} />
      )}
    </>
  )
}
