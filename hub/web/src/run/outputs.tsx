import type { Run } from '@fernlab/shared/contracts/api'
import type { LabProtocol } from '../lab/parameters.ts'
import { quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './run.module.css'

/** The results as big numbers with units and uncertainty; a missing one says why. */
export function Outputs({ run, protocol, final }: { run: Run; protocol: LabProtocol | undefined; final: boolean }) {
  const words = useWords()
  const { t } = words
  const names = [
    ...new Set([
      ...Object.keys(protocol?.outputs ?? {}),
      ...Object.keys(run.outputs),
      ...Object.keys(run.missingOutputs),
    ]),
  ]
  if (names.length === 0 || (!final && Object.keys(run.outputs).length === 0)) return null
  return (
    <section aria-labelledby="outputs">
      <h2 id="outputs">{t('runPage.outputs')}</h2>
      <dl className={styles.outputs} aria-live="polite">
        {names.map((name) => {
          const output = run.outputs[name]
          const title = words.text(protocol?.outputs[name]?.title)
          return (
            <div key={name} className={styles.output}>
              <dt>
                {title || name} {title === '' ? null : <code className={styles.symbol}>{name}</code>}
              </dt>
              <dd>
                {output === undefined ? (
                  <span className={styles.noOutput}>
                    {final
                      ? `${t('runPage.missing')}: ${words.reason(run.missingOutputs[name] ?? run.reason ?? '')}`
                      : '—'}
                  </span>
                ) : (
                  <span className={styles.big}>
                    {quantityIn(
                      t,
                      output.value,
                      output.unit,
                      output.uncertainty === undefined ? {} : { uncertainty: output.uncertainty },
                    )}
                  </span>
                )}
              </dd>
            </div>
          )
        })}
      </dl>
    </section>
  )
}
