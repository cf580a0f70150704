import type { NodeInfo } from '@fernlab/shared/contracts/api'
import type { HardwareFinding, NodeHardware } from '@fernlab/shared/contracts/hardware'
import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { useApi } from '../api/context.tsx'
import { hardwareQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { AddedInstruments } from './added-instruments.tsx'
import { FindingRow } from './finding-row.tsx'
import { nodeSays } from './findings.ts'
import styles from './hardware.module.css'
import { useScan } from './look-again.ts'

/** What the node finds on its machine, in groups as `fernlab doctor` has them, while it is there to say so. */
export function Hardware({ node }: { node: NodeInfo }) {
  const { t, absolute, language } = useWords()
  const api = useApi()
  const isHere = node.state === 'online'
  const found = useQuery({ ...hardwareQuery(api, node.id), enabled: isHere })
  const scan = useMutation({ mutationFn: useScan(node.id) })
  const hardware = found.data
  const isBusy = found.isFetching || scan.isPending
  return (
    <section className={styles.hardware} aria-labelledby="hardware" aria-busy={isBusy}>
      <div className={styles.head}>
        <h2 id="hardware">{t('nodes.hardware')}</h2>
        {isHere ? (
          <div className={styles.buttons}>
            <Button
              variant="default"
              size="xs"
              disabled={scan.isPending}
              loading={found.isRefetching}
              onClick={() => {
                scan.reset()
                void found.refetch()
              }}
            >
              {t('nodes.lookAgain')}
            </Button>
            {hasBus(hardware) ? (
              <Button
                variant="default"
                size="xs"
                disabled={found.isFetching}
                loading={scan.isPending}
                aria-describedby="scan-text"
                onClick={() => scan.mutate()}
              >
                {t('nodes.scan')}
              </Button>
            ) : null}
          </div>
        ) : null}
      </div>
      {isHere ? null : <p className="soft">{t('nodes.hardwareAway')}</p>}
      {isHere && hasBus(hardware) ? (
        <p id="scan-text" className="soft">
          {t('nodes.scanText')}
        </p>
      ) : null}
      {scan.error === null ? null : <ProblemNotice error={scan.error} say={nodeSays(scan.error, t, language)} />}
      {isHere && found.error !== null ? (
        <ProblemNotice
          error={found.error}
          onRetry={() => void found.refetch()}
          say={nodeSays(found.error, t, language)}
        />
      ) : null}
      {isHere && hardware === undefined && found.error === null ? <Loading /> : null}
      {isHere && hardware !== undefined ? (
        <>
          <p className="soft" role="status">
            {t('nodes.hardwareAt', { time: absolute(hardware.lookedAt) })}
          </p>
          <AddedInstruments node={node.id} added={hardware.added} />
          {groupsOf(hardware.findings).map(([group, findings]) => (
            <Group key={group} node={node.id} group={group} findings={findings} />
          ))}
        </>
      ) : null}
    </section>
  )
}

function Group({ node, group, findings }: { node: string; group: string; findings: readonly HardwareFinding[] }) {
  const { t } = useWords()
  const id = useId()
  return (
    <section className={styles.group} aria-labelledby={id}>
      <h3 id={id}>{t(`nodes.group.${group}`, { defaultValue: group })}</h3>
      <ul className={styles.findings}>
        {findings.map((finding) => (
          <FindingRow key={`${finding.what} ${finding.find?.id ?? finding.detail}`} node={node} finding={finding} />
        ))}
      </ul>
    </section>
  )
}

const hasBus = (hardware: NodeHardware | undefined): boolean =>
  hardware?.findings.some(({ find }) => find?.kind === 'i2c-bus') === true

/** In the order in which the groups begin. */
function groupsOf(findings: readonly HardwareFinding[]): [string, HardwareFinding[]][] {
  const groups = new Map<string, HardwareFinding[]>()
  for (const finding of findings) groups.set(finding.group, [...(groups.get(finding.group) ?? []), finding])
  return [...groups]
}
