import type { UseDetail } from '@fernlab/shared/contracts/usage'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import styles from './usage.module.css'
import { useUsageWords } from './use-usage-words.ts'
import { tableOfUse } from './uses-queries.ts'
import { View } from './view.tsx'

/** What was commanded in a use with what was answered, and who took its results as files. */
export function UseRecord({ use: { id, session, given, moreGiven, taken, moreTaken } }: { use: UseDetail }) {
  const { t, absolute, personName, reason } = useUsageWords()
  return (
    <>
      {session ? (
        <View
          title={t('uses.commands')}
          csv={tableOfUse(id, 'commands')}
          text={moreGiven ? t('uses.first') : undefined}
        >
          {given.length === 0 ? (
            <p className="soft">{t('uses.noCommands')}</p>
          ) : (
            <ScrollRegion name={t('uses.commands')} className={styles.scroll}>
              <table className={styles.table}>
                <thead>
                  <tr>
                    {(['at', 'who', 'command', 'answer'] as const).map((name) => (
                      <th key={name} scope="col">
                        {t(`uses.${name}`)}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {given.map(({ at, by, what, target, value, outcome }, row) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: commands are their places
                    <tr key={row}>
                      <td>{absolute(at)}</td>
                      <td>{by.id === '' ? t('uses.itself') : personName(by)}</td>
                      <td className={styles.chosen}>{`${what} ${target}${value === 'null' ? '' : ` ${value}`}`}</td>
                      <td>{outcome === 'done' ? t('uses.done') : reason(outcome)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          )}
        </View>
      ) : null}
      <View title={t('uses.taken')} csv={tableOfUse(id, 'files')} text={moreTaken ? t('uses.first') : undefined}>
        {taken.length === 0 ? (
          <p className="soft">{t('uses.nothingTaken')}</p>
        ) : (
          <ScrollRegion name={t('uses.taken')} className={styles.scroll}>
            <table className={styles.table}>
              <thead>
                <tr>
                  {(['at', 'who', 'file'] as const).map((name) => (
                    <th key={name} scope="col">
                      {t(`uses.${name}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {taken.map(({ at, by, what }, row) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: downloads are their places
                  <tr key={row}>
                    <td>{absolute(at)}</td>
                    <td>{personName(by)}</td>
                    <td>{what}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollRegion>
        )}
      </View>
    </>
  )
}
