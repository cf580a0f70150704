import type { NodeInfo } from '@fernlab/shared/contracts/api'
import { Link } from '@tanstack/react-router'
import { bytes } from '../words/bytes.ts'
import { count, quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './nodes.module.css'

/** What is wrong with a node, its benches, and its health. */
export function NodeFacts({ node }: { node: NodeInfo }) {
  const words = useWords()
  const { t } = words
  const { health } = node
  return (
    <>
      {node.state === 'offline' && health !== undefined ? (
        <p className="soft">{t('nodes.asLastHeard', { time: words.moment(health.time) })}</p>
      ) : null}
      {node.state === 'revoked' ? (
        <p className="soft">{t('nodes.isRevoked')}</p>
      ) : node.state === 'never-seen' ? (
        <p className="soft">{t('nodes.isNew')}</p>
      ) : health === undefined ? null : health.problems.length === 0 ? (
        node.state === 'online' && <p className="soft">{t('nodes.allWell')}</p>
      ) : (
        <ul className={styles.problems}>
          {health.problems.map((problem) => (
            <li key={`${problem.code} ${problem.message}`}>
              {words.reason(problem.message)} <code>{problem.code}</code>
            </li>
          ))}
        </ul>
      )}
      <p>
        <span className="soft">{t('nodes.benches')}: </span>
        {node.benches.map((bench, index) => {
          const id = bench.includes('.') ? bench : `${node.id}.${bench}`
          return (
            <span key={bench}>
              {index === 0 ? '' : ', '}
              <Link to="/benches/$benchId" params={{ benchId: id }}>
                {bench}
              </Link>
            </span>
          )
        })}
        {node.benches.length === 0 ? '—' : ''}
      </p>
      {health === undefined || node.state === 'revoked' ? null : <Health health={health} />}
    </>
  )
}

function Health({ health }: { health: NonNullable<NodeInfo['health']> }) {
  const { t, duration, language } = useWords()
  const facts: readonly (readonly [string, string])[] = [
    [t('nodes.version'), health.version],
    [t('nodes.uptime'), duration(health.uptime_s)],
    ...(health.cpu_temp_Cel === null
      ? []
      : [[t('nodes.temperature'), quantityIn(t, health.cpu_temp_Cel, 'Cel', { precision: 3 })] as const]),
    [t('nodes.load'), new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(health.load)],
    [t('nodes.memory'), bytes(health.memory_bytes, language)],
    [t('nodes.disk'), bytes(health.disk_free_bytes, language)],
    [t('nodes.queue'), count(health.queue_depth, language)],
    [t('nodes.outbox'), count(health.outbox_depth, language)],
    ...(health.clock_offset_ms === null
      ? []
      : [[t('nodes.clock'), t('nodes.clockText', { ms: Math.round(health.clock_offset_ms) })] as const]),
    ...(health.reached ?? []).map(({ instrument, by }) => [t('nodes.reached', { instrument }), by] as const),
  ]
  return (
    <dl className={styles.health}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
