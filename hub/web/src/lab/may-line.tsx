import type { EffectivePermission, Term } from '@fernlab/shared/contracts/permissions'
import { termNames } from '@fernlab/shared/contracts/terms'
import { subjectText, termValue } from '../permissions/term-words.ts'
import { useWords } from '../words/use-words.ts'
import styles from './lab.module.css'

interface Props {
  readonly may: EffectivePermission
  /** Of the sentence that says why not. */
  readonly id: string
}

/** What I may here, in a line, with whom to ask where that is nothing; opened, every term and which permission gives it. */
export default function MayLine({ may, id }: Props) {
  const words = useWords()
  return (
    <>
      {may.gives.mayQueue ? null : <p id={id}>{mayNot(may, words)}</p>}
      <Terms may={may} />
    </>
  )
}

function Terms({ may }: { may: EffectivePermission }) {
  const words = useWords()
  const { t } = words
  const from = (term: Term) => may.permissions.find(({ id }) => id === may.sources[term])
  return (
    <details className={styles.may}>
      <summary>{summary(may, words)}</summary>
      {may.unlimited ? (
        <p className="soft">{t('permissions.unlimited')}</p>
      ) : (
        <dl>
          {termNames.map((term) => {
            const source = from(term)
            return (
              <div key={term}>
                <dt>{t(`permissions.terms.${term}`)}</dt>
                <dd>
                  {termValue(term, may.gives, words)}
                  {source === undefined ? null : (
                    <span className="soft"> {t('permissions.by', { whom: subjectText(source, words) })}</span>
                  )}
                </dd>
              </div>
            )
          })}
        </dl>
      )}
      {may.unlimited ? null : <p className="soft">{t('permissions.mostWins')}</p>}
    </details>
  )
}

function summary(
  { unlimited, gives, used }: EffectivePermission,
  { t, duration }: ReturnType<typeof useWords>,
): string {
  const { mostOpen, dayS, weekS } = gives
  const time = (seconds: number) => (seconds < 1 ? t('permissions.none') : duration(seconds))
  const limits = unlimited
    ? []
    : [
        ...(mostOpen === null ? [] : [t('permissions.openOf', { open: used.open, most: mostOpen })]),
        ...(dayS === null ? [] : [t('permissions.dayOf', { used: time(used.dayS), most: time(dayS) })]),
        ...(weekS === null ? [] : [t('permissions.weekOf', { used: time(used.weekS), most: time(weekS) })]),
      ]
  if (!gives.mayQueue) return t('permissions.whatMay')
  return limits.length === 0 ? t('permissions.may') : `${t('permissions.may')}: ${limits.join(', ')}`
}

function mayNot(may: EffectivePermission, { t, language }: ReturnType<typeof useWords>): string {
  const names = new Intl.ListFormat(language, { type: 'disjunction' }).format(may.ask)
  const ask = may.ask.length === 0 ? t('permissions.askStaff') : t('permissions.ask', { names })
  return `${t(may.protocols.length > 0 ? 'permissions.notThis' : 'permissions.not')} ${ask}`
}
