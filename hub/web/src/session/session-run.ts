import type { LabDetail, Run } from '@fernlab/shared/contracts/api'

/** True for a run that is a live session. */
export const isSession = (run: Pick<Run, 'session'>): boolean => run.session === true

/** How the lab offers live sessions; undefined where it offers none. */
export const offeredBy = (lab: LabDetail): LabDetail['session'] => lab.session
