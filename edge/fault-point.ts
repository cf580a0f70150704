/** The named places at which a fault test may kill the node; nothing else ever happens there. */
export const faultPoints = [
  'after-receive-assign',
  'before-accept-commit',
  'after-accept-commit',
  'after-send-accepted',
  'before-start-commit',
  'after-start-commit',
  'before-first-instruction',
  'after-set',
  'mid-record',
  'before-page-commit',
  'after-page-commit',
  'before-safe-stop',
  'during-safe-stop',
  'before-stop-commit',
  'after-stop-commit',
  'before-send-documents',
  'after-send-documents',
  'after-acknowledge',
] as const
/** Passed by sessions on a laboratory's own server alone. */
export const labServerFaultPoints = ['before-lab-start', 'after-lab-start'] as const
/** Passed as a camera's picture is taken into a run. */
export const pictureFaultPoints = ['before-picture-commit', 'after-picture-commit'] as const
/** Passed as a calibration is changed. */
export const calibrationFaultPoints = ['before-calibration-commit', 'after-calibration-commit'] as const
/** Passed as an instrument is added beside node.yaml, and as one is removed. */
export const addedFaultPoints = ['before-added-commit', 'after-added-commit'] as const
export type FaultPoint =
  | (typeof faultPoints)[number]
  | (typeof labServerFaultPoints)[number]
  | (typeof pictureFaultPoints)[number]
  | (typeof calibrationFaultPoints)[number]
  | (typeof addedFaultPoints)[number]

/** Called as the node passes a named place; absent outside tests. */
export type FaultHook = (name: FaultPoint) => void
