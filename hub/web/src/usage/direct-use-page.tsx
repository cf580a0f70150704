import type { DirectExchange, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { isAbsent } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { Loading } from '../notices/loading.tsx'
import { NotFound } from '../notices/not-found.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { quantityIn } from '../words/quantity.ts'
import { directUseQuery, exchangesCsv } from './direct-queries.ts'
import { Facts } from './facts.tsx'
import tables from './usage.module.css'
import { useUsageWords } from './use-usage-words.ts'
import { View } from './view.tsx'

/** All of one direct use: who, where, when, from where and for how long, and everything that was set and read. */
export default function DirectUsePage() {
  const { t } = useUsageWords()
  const { useId } = useParams({ from: '/framed/usage/direct/$useId' })
  const use = useQuery(directUseQuery(useApi(), useId))
  useTitle(t('direct.one'), t('direct.one'))
  if (use.data !== undefined) return <Shown use={use.data} />
  if (isAbsent(use.error)) return <NotFound />
  return (
    <Page title={t('direct.one')}>
      {use.error === null ? <Loading /> : <ProblemNotice error={use.error} onRetry={() => void use.refetch()} />}
    </Page>
  )
}

function Shown({ use }: { use: DirectUseDetail }) {
  const { t, absolute, personName, duration, from } = useUsageWords()
  const { id, person, bench, startedAt, endedAt, lastsS, ended, exchanges, given, moreGiven } = use
  const origin = from(use)
  return (
    <Page
      title={`${personName(person)}: ${bench}`}
      aside={
        <LinkButton to="/benches/$benchId" params={{ benchId: bench }} variant="default">
          {t('direct.openBench')}
        </LinkButton>
      }
    >
      <Facts
        facts={[
          [
            t('usage.person'),
            <Link key="person" to="/usage/direct" search={{ person: person.id }}>
              {personName(person)}
            </Link>,
          ],
          [
            t('uses.bench'),
            <Link key="bench" to="/usage/direct" search={{ bench }}>
              {bench}
            </Link>,
          ],
          [t('uses.from'), origin === '' ? t('usage.unknown') : origin],
          [t('direct.begun'), absolute(startedAt)],
          [t('uses.ended'), endedAt === undefined ? t('uses.notYet') : absolute(endedAt)],
          [t('direct.why'), ended === undefined ? t('direct.lasts') : t(`direct.end.${ended}`)],
          [t('uses.lastedFor'), duration(Math.round(lastsS))],
          [t('direct.given'), String(exchanges)],
          [t('uses.id'), <code key="id">{id}</code>],
        ]}
      />
      <View title={t('direct.given')} csv={exchangesCsv(id)} text={moreGiven ? t('uses.first') : undefined}>
        {given.length === 0 ? (
          <p className="soft">{exchanges === 0 ? t('direct.noneGiven') : t('direct.noneKept')}</p>
        ) : (
          <ScrollRegion name={t('direct.given')} className={tables.scroll}>
            <table className={tables.table}>
              <thead>
                <tr>
                  <th scope="col">{t('uses.at')}</th>
                  <th scope="col">{t('direct.sent')}</th>
                  <th scope="col">{t('direct.cameBack')}</th>
                  <th scope="col">{t('direct.came')}</th>
                  <th scope="col" className={tables.number}>
                    {t('direct.took')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {given.map((exchange, row) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: exchanges are their places
                  <Given key={row} exchange={exchange} />
                ))}
              </tbody>
            </table>
          </ScrollRegion>
        )}
      </View>
    </Page>
  )
}

function Given({ exchange }: { exchange: DirectExchange }) {
  const { at, way, address, set, read, answer = {}, error, tookMs } = exchange
  const { t, absolute, reason } = useUsageWords()
  const readings = Object.entries(answer)
  return (
    <tr>
      <td>{absolute(at)}</td>
      <td>
        <div className={tables.chosen}>
          {Object.entries(set).map(([signal, value]) => (
            <div key={signal}>{`${signal} = ${value}`}</div>
          ))}
          {read.length === 0 ? null : (
            <div>
              <span className="soft">{t('direct.read')}</span> {read.join(', ')}
            </div>
          )}
        </div>
      </td>
      <td>
        <div className={error === undefined ? tables.chosen : undefined}>
          {error === undefined
            ? readings.length === 0
              ? t('uses.done')
              : readings.map(([signal, { value, unit }]) => (
                  <div
                    key={signal}
                  >{`${signal} = ${typeof value === 'number' ? quantityIn(t, value, unit) : value}`}</div>
                ))
            : reason(error)}
        </div>
      </td>
      <td>
        {t(`direct.way.${way}`)}
        {address === undefined ? null : <div className="soft">{address}</div>}
      </td>
      <td className={tables.number}>{quantityIn(t, Math.round(tookMs), 'ms')}</td>
    </tr>
  )
}
