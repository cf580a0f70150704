import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { Button, CopyButton } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useApi, useReachable } from '../api/context.tsx'
import { isServiceUnknown, serviceQuery, servicesQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { ServiceMark } from '../states/service-mark.tsx'
import { useWords } from '../words/use-words.ts'
import { snippets } from './contract-words.ts'
import { UnknownService } from './left-line.tsx'
import { ServiceLive } from './service-live.tsx'
import styles from './services.module.css'
import { useWhy } from './use-why.ts'

/** One service: how it stands, what it is and does now, and how a program uses it. */
export default function ServicePage() {
  const { node, service: name } = useParams({ from: '/framed/services/$node/$service' })
  useTitle(name, name)
  const api = useApi()
  const service = useQuery(serviceQuery(api, node, name))
  const { refetch } = service
  const isUnknown = isServiceUnknown(service.error)
  // Whether it is back is looked for among all: asking for what is not there is an error each time.
  const all = useQuery({ ...servicesQuery(api), enabled: isUnknown })
  const isBack = isUnknown && (all.data?.items.some((one) => one.node === node && one.name === name) ?? false)
  useEffect(() => {
    if (isBack && all.dataUpdatedAt > 0) void refetch()
  }, [isBack, all.dataUpdatedAt, refetch])
  if (service.data !== undefined) return <ServiceView service={service.data} hasLeft={isUnknown} />
  if (isUnknown) {
    return (
      <Page title={name}>
        <UnknownService node={node} />
      </Page>
    )
  }
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

function ServiceView({ service, hasLeft }: { service: DirectoryService; hasLeft: boolean }) {
  const { t } = useWords()
  const { name, state, address, addresses, description, kind, metadata, node, version } = service
  const why = useWhy(service)
  const says = hasLeft ? t('service.notListed') : why
  const isHubThere = useReachable()
  const text = snippets(service, window.location.origin)
  return (
    <Page
      title={name}
      aside={
        <>
          <ServiceMark state={hasLeft ? 'gone' : state} />
          <span className="soft">{t('services.kindOn', { kind: `${kind} ${version}`, node })}</span>
        </>
      }
    >
      <div className={styles.about}>
        {description === undefined ? null : <p>{description}</p>}
        {says === '' ? null : <p>{says}</p>}
        {isHubThere ? null : <p className="soft">{t('service.asLastHeard')}</p>}
      </div>
      <ServiceLive service={service} hasLeft={hasLeft} />
      <dl className={styles.facts}>
        <dt>{t('services.address')}</dt>
        <dd>
          <CopyLine value={address} label={t('services.address')} />
        </dd>
        <dt>{t('services.reachedAt')}</dt>
        <dd>{addresses.length === 0 ? t('services.noAddress') : addresses.join(', ')}</dd>
        {Object.entries(metadata).map(([what, value]) => (
          <div key={what} className={styles.fact}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <section aria-label={t('services.fromProgram')}>
        <h2>{t('services.fromProgram')}</h2>
        <p className={styles.program}>{t('service.programText')}</p>
        <Snippet language={t('service.shell')} text={text.shell} />
        <Snippet language="Python" text={text.python} />
        <Snippet language="TypeScript" text={text.typescript} />
      </section>
    </Page>
  )
}

function Snippet({ language, text }: { language: string; text: string }) {
  const { t } = useWords()
  return (
    <figure className={styles.snippet}>
      <figcaption>{language}</figcaption>
      <ScrollRegion name={language} className={styles.code}>
        <pre>
          <code>{text}</code>
        </pre>
      </ScrollRegion>
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
