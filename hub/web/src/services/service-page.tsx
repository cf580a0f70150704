import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { Button, CopyButton } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { serviceQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ServiceMark } from '../states/service-mark.tsx'
import { unitText } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { actionWords, snippets } from './contract-words.ts'
import styles from './services.module.css'
import { useWhy } from './use-why.ts'

/** One service: how it stands, what it can do, and how a program uses it. */
export default function ServicePage() {
  const { node, service: name } = useParams({ from: '/framed/services/$node/$service' })
  useTitle(name, name)
  const service = useQuery(serviceQuery(useApi(), node, name))
  if (service.data !== undefined) return <ServiceView service={service.data} />
  return (
    <Page title={name}>
      {service.error === null ? (
        <Loading />
      ) : (
        <ProblemNotice error={service.error} onRetry={() => void service.refetch()} />
      )}
    </Page>
  )
}

function ServiceView({ service }: { service: DirectoryService }) {
  const { t } = useWords()
  const { name, state, address, addresses, contract, description, kind, metadata, node, version } = service
  const why = useWhy(service)
  const actions = Object.entries(contract.actions)
  const text = snippets(service, window.location.origin)
  return (
    <Page
      title={name}
      aside={<span className="soft">{t('services.kindOn', { kind: `${kind} ${version}`, node })}</span>}
    >
      <div className={styles.shown}>
        <ServiceMark state={state} />
        <span>{why}</span>
      </div>
      {description === undefined ? null : <p className={styles.why}>{description}</p>}
      <CopyLine value={address} label={t('services.address')} />
      <dl className={styles.facts}>
        <dt>{t('services.reachedAt')}</dt>
        <dd>{addresses.length === 0 ? t('services.noAddress') : addresses.join(', ')}</dd>
        {Object.entries(metadata).map(([what, value]) => (
          <div key={what} className={styles.fact}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Signals contract={contract} />
      {actions.length === 0 ? null : (
        <section aria-label={t('services.actions')}>
          <h2>{t('services.actions')}</h2>
          <ul className={styles.list}>
            {actions.map(([action, what]) => (
              <li key={action} className={styles.action}>
                <code>{actionWords(action, what)}</code>
                {what.description === undefined ? null : <span className="soft">{what.description}</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-label={t('services.fromProgram')}>
        <h2>{t('services.fromProgram')}</h2>
        <Snippet language="Python" text={text.python} />
        <Snippet language="TypeScript" text={text.typescript} />
      </section>
    </Page>
  )
}

function Signals({ contract }: Pick<DirectoryService, 'contract'>) {
  const { t } = useWords()
  const signals = Object.entries(contract.signals)
  if (signals.length === 0) return null
  return (
    <section aria-label={t('services.signals')}>
      <h2>{t('services.signals')}</h2>
      <ul className={styles.list}>
        {signals.map(([signal, { title, unit, access, limits = {} }]) => (
          <li key={signal} className={styles.action}>
            <code>{signal}</code>
            <span>{[title === signal ? '' : title, unitText(unit)].filter(Boolean).join(', ')}</span>
            <span className="soft">
              {t(`services.access.${access}`)}
              {limits.low === undefined && limits.high === undefined
                ? ''
                : `, ${limits.low ?? ''} … ${limits.high ?? ''} ${unitText(unit)}`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Snippet({ language, text }: { language: string; text: string }) {
  const { t } = useWords()
  return (
    <figure className={styles.snippet}>
      <figcaption>{language}</figcaption>
      <pre>
        <code>{text}</code>
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            size="xs"
            onClick={copy}
            aria-label={`${copied ? t('common.copied') : t('common.copy')}: ${language}`}
            leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          >
            {copied ? t('common.copied') : t('common.copy')}
          </Button>
        )}
      </CopyButton>
    </figure>
  )
}
