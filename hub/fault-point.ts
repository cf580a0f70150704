/** The named places at which a fault test may kill the hub; nothing else ever happens there. */
export const faultPoints = [
  'before-submit-commit',
  'after-submit-commit',
  'before-assign-commit',
  'after-assign-commit',
  'after-assign-publish',
  'on-accepted',
  'before-documents-commit',
  'after-documents-commit',
  'after-acknowledge',
  'before-stop-commit',
  'after-stop-commit',
  'before-welcome',
  'after-welcome',
  'before-cancel-commit',
  'after-cancel-commit',
  'after-requeue-commit',
] as const
export type FaultPoint = (typeof faultPoints)[number]

/** Called as the hub passes a named place; absent outside tests. */
export type FaultHook = (name: FaultPoint) => void
