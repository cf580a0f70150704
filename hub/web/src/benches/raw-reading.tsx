import type { exchangedSchema } from '@fernlab/shared/contracts/api'
import { lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { z } from 'zod'
import type { Api } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { calibrationsQuery, meQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import type { CalibratedSignal } from './bench-signals.ts'
import styles from './calibrate.module.css'
import { rawOfReading } from './calibration-points.ts'
import { calibrationReasonIn } from './calibration-words.ts'

type Exchanged = z.infer<typeof exchangedSchema>

interface Props {
  readonly bench: { readonly id: string; readonly node: string }
  readonly signal: CalibratedSignal
  readonly onTaken: (raw: number) => void
}

/** Reads the signal now and gives its raw value, which it has by the calibration in force; for those who drive benches. */
export function RawReading({ bench, signal, onTaken }: Props) {
  const { t, value: say } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const drives = isStaff(useQuery(meQuery(api)).data?.role)
  const read = useMutation({
    mutationFn: async () => {
      const { items } = await client.fetchQuery({ ...calibrationsQuery(api, bench.node), staleTime: 0 })
      const inForce = lastGood(items.find((one) => one.signal === signal.key)?.history ?? [])
      const value = await presentValue(api, bench.id, signal.ofPart)
      return { value, raw: typeof value === 'number' ? rawOfReading(value, inForce) : undefined }
    },
    onSuccess: ({ raw }) => {
      if (raw !== undefined) onTaken(raw)
    },
  })
  if (!drives || signal.spec.access === 'set') return null
  return (
    <div className={styles.take}>
      <Button variant="default" size="xs" loading={read.isPending} onClick={() => read.mutate()}>
        {t('calibrate.take')}
      </Button>
      {read.error === null ? null : (
        <ProblemNotice error={read.error} say={(message) => calibrationReasonIn(message, t)} />
      )}
      {read.data === undefined || read.data.raw !== undefined ? null : (
        <p role="alert">
          {typeof read.data.value === 'number'
            ? t('calibrate.noRaw', { value: say(read.data.value, signal.spec.unit) })
            : t('calibrate.noReading')}
        </p>
      )}
    </div>
  )
}

async function presentValue(api: Api, bench: string, signal: string) {
  const path = `/api/v1/benches/${bench}/exchange`
  const { readings } = await api.send<Exchanged>('POST', path, { read: [signal] })
  return readings[signal]?.value
}
