import type { ImportedPeople } from '@fernlab/shared/contracts/api'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './people.module.css'

/** More lines than anybody reads would make the page slow. */
const MOST_SHOWN = 200

/** The first people of a list, and how many more there are. */
export function ImportList({ people, count }: Pick<ImportedPeople, 'people' | 'count'>) {
  const { t } = useWords()
  const shown = people.slice(0, MOST_SHOWN)
  return (
    <ScrollRegion name={t('people.title')} className={styles.listed}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('people.line')}</th>
            <th scope="col">{t('people.importName')}</th>
            <th scope="col">{t('people.importEmail')}</th>
            <th scope="col">{t('account.role')}</th>
            <th scope="col">{t('groups.title')}</th>
            <th scope="col">{t('people.importState')}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((person) => (
            <tr key={person.line}>
              <td>{person.line}</td>
              <td>{person.name}</td>
              <td>{person.email}</td>
              <td>{t(`account.roles.${person.role}`)}</td>
              <td>{person.groups.join(', ')}</td>
              <td className={person.known ? 'soft' : undefined}>
                {person.known ? t('people.isKnown') : t('people.isNew')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {count > shown.length ? <p>{t('people.andMore', { count: count - shown.length })}</p> : null}
    </ScrollRegion>
  )
}
