import type { CalibrationRecord } from '@fernlab/shared/contracts/calibrations'
import { lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { calibrationsQuery } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { calibrationReasonIn, curveWords } from './calibration-words.ts'

interface Props {
  readonly node: string
  readonly signal: string
  readonly history: readonly CalibrationRecord[]
  readonly onClose: () => void
  /** Told whether a calibration that had been cleared is in force again. */
  readonly onDone: (restored: boolean) => void
}

/** Asks before the calibration in force, or that there is none any more, is undone, and says which counts then. */
export function UndoCalibration({ node, signal, history, onClose, onDone }: Props) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const now = lastGood(history)
  const before = lastGood(history.filter((each) => each !== now))
  const restores = now?.curve === null && before !== undefined && before.curve !== null
  const undo = useMutation({
    mutationFn: () => api.send('POST', `/api/v1/nodes/${node}/calibrations/undo`, { signal }),
    onSuccess: async () => {
      await client.invalidateQueries(calibrationsQuery(api, node))
      void client.invalidateQueries({ queryKey: ['benches'] })
      onDone(restores)
    },
  })
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t(restores ? 'calibrate.undoClearedTitle' : 'calibrate.undoTitle', { signal })}
      confirm={t('calibrate.undo')}
      pending={undo.isPending}
      onConfirm={() => undo.mutate()}
    >
      <p>
        {before === undefined || before.curve === null
          ? t('calibrate.undoToRaw')
          : t('calibrate.undoTo', { curve: curveWords(before.curve, t), name: before.by })}{' '}
        {t('calibrate.undoKept')}
      </p>
      {undo.error === null ? null : (
        <ProblemNotice error={undo.error} say={(message) => calibrationReasonIn(message, t)} />
      )}
    </ConfirmDialog>
  )
}
