import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { useQuery } from '@tanstack/react-query'
import { type CSSProperties, lazy, Suspense, useMemo } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { type PanelBench, PanelProvider } from '../panel/panel-context.tsx'
import { unitText } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { ActionList } from './action-list.tsx'
import { CallLog, EventLog } from './call-log.tsx'
import { HoldLine } from './hold-line.tsx'
import { holdSays, isDown, mayEndOthers, mayUse } from './hold-says.ts'
import { LeftLine } from './left-line.tsx'
import { LinkLine } from './link-line.tsx'
import styles from './service.module.css'
import { ServiceLog } from './service-log.tsx'
import { SignalList } from './signal-list.tsx'
import { useServiceLink } from './use-service-link.ts'

const ChartWidget = lazy(() => import('../panel/chart-widget.tsx'))

/** The service at work: how it is reached, who has it, its signals as they change, its actions, and what was done. */
export function ServiceLive({ service, hasLeft }: { service: DirectoryService; hasLeft: boolean }) {
  const { contract } = service
  const role = useQuery(meQuery(useApi())).data?.role
  const { link, state, store } = useServiceLink(service, hasLeft)
  const isOpen = link !== undefined && !hasLeft && !isDown(service, state)
  const canUse = isOpen && mayUse(holdSays(service, role, state), service.bench)
  const bench = usePanelOf(contract, store)
  // Empty axes tell nothing; while the first reading is on its way their place is kept.
  const isUnread = service.state === 'gone' || state?.unread !== undefined
  const isOld = hasLeft || state?.isLate === true || state?.unread !== undefined
  const isBlank = isUnread && [...bench.colours.keys()].every((name) => store.latest(name) === undefined)
  return (
    <PanelProvider value={bench}>
      {hasLeft ? (
        <LeftLine service={service} />
      ) : (
        <div>
          <LinkLine service={service} state={state} />
          <HoldLine service={service} role={role} link={link} state={state} />
        </div>
      )}
      <div className={styles.work}>
        <div className={styles.column}>
          <SignalList signals={contract.signals} link={link} canUse={canUse} isOld={isOld} />
          <ActionList actions={contract.actions} link={link} calls={state?.calls ?? []} canUse={canUse} />
        </div>
        <div className={styles.column}>
          {isBlank ? null : <Charts bench={bench} />}
          {Object.keys(contract.events).length === 0 ? null : (
            <EventLog events={state?.events ?? []} unheard={state?.unheard} />
          )}
          <CallLog calls={state?.calls ?? []} signals={contract.signals} />
        </div>
      </div>
      {mayEndOthers(role) ? <ServiceLog key={service.id} service={service} link={link} /> : null}
    </PanelProvider>
  )
}

/** What the charts of panels want to know; what is moved here is moved by the forms. */
function usePanelOf(contract: DirectoryService['contract'], store: PanelBench['store']): PanelBench {
  const shape = JSON.stringify(contract.signals)
  return useMemo(() => {
    const signals = Object.entries(JSON.parse(shape) as typeof contract.signals)
    const drawn = signals.filter(
      ([, { access, dtype }]) => access !== 'set' && (dtype === 'number' || dtype === 'integer'),
    )
    return {
      store,
      signals: new Map(signals.map(([name, signal]) => [name, { ...signal, title: signal.title ?? name }])),
      colours: new Map(drawn.map(([name], index) => [name, (index % 8) + 1])),
      commands: [],
      ready: false,
      titleOf: (action) => action,
      set: () => Promise.reject(new Error('the forms set')),
      call: () => Promise.reject(new Error('the forms call')),
    } satisfies PanelBench
  }, [shape, store])
}

/** One for each unit: what is measured in another is no matter of the same axis. */
function Charts({ bench }: { bench: PanelBench }) {
  const { t } = useWords()
  const units = new Map<string, string[]>()
  for (const name of bench.colours.keys()) {
    const unit = bench.signals.get(name)?.unit ?? '1'
    units.set(unit, [...(units.get(unit) ?? []), name])
  }
  return [...units].map(([unit, signals]) => {
    const text = unitText(unit)
    const title = text === '' ? t('service.minuteNumbers') : t('service.minute', { unit: text })
    return (
      <div key={unit} className={styles.chart} style={{ '--rows': 3 } as CSSProperties}>
        <Suspense fallback={null}>
          <ChartWidget widget={{ kind: 'chart', signals, seconds: 60 }} title={title} />
        </Suspense>
      </div>
    )
  })
}
