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

/** The same of the broker, which dies with the hub's process: how a client comes and goes, how a message passes. */
export const brokerFaultPoints = [
  'before-connect-judged',
  'after-connect-judged',
  'after-connack',
  'on-subscribe',
  'before-retained-written',
  'before-inventory-routed',
  'before-welcome-written',
  'before-assign-written',
  'after-assign-written',
  'before-accepted-routed',
  'before-documents-routed',
  'after-documents-routed',
  'before-acknowledge-written',
  'before-cancel-written',
  'after-cancel-written',
  'before-will-routed',
  'on-disconnect',
  'on-take-over',
] as const
export type BrokerFaultPoint = (typeof brokerFaultPoints)[number]

/** The same of bookings. */
export const bookingFaultPoints = [
  'before-booking-commit',
  'after-booking-commit',
  'before-booking-cancel-commit',
  'after-booking-cancel-commit',
] as const

/** The same of recurring runs. */
export const recurringFaultPoints = ['before-recurring-commit', 'after-recurring-commit'] as const

/** The same of sessions that lose their bench. */
export const lostFaultPoints = ['before-lost-commit', 'after-lost-commit'] as const

/** The same of checks that are runs. */
export const checkFaultPoints = ['before-check-commit', 'after-check-commit'] as const

/** The same of benches that go out of use and come back, and of the letters about it. */
export const benchFaultPoints = [
  'before-bench-history-commit',
  'after-bench-history-commit',
  'before-bench-letters-commit',
  'before-bench-letters-sent',
  'after-bench-letters-sent',
] as const

/** The same of bookings as they begin. */
export const bookingStartFaultPoints = ['before-booking-start-commit', 'after-booking-start-commit'] as const

/** The same of letters about bookings. */
export const bookingLetterFaultPoints = [
  'before-booking-letter',
  'before-booking-letter-sent',
  'after-booking-letter-sent',
] as const

/** The same of what makes room for them. */
export const bumpFaultPoints = [
  'before-bump-commit',
  'after-bump-commit',
  'before-bump-end-commit',
  'after-bump-end-commit',
] as const

/** The same of bookings as they end: missed or over, or cut short so that what is left begins again. */
export const bookingEndFaultPoints = ['before-booking-end-commit', 'after-booking-end-commit'] as const
export const bookingAgainFaultPoints = ['before-booking-again-commit', 'after-booking-again-commit'] as const

/** The same of a session that is made longer, with its booking; the node is asked between the first two. */
export const extendFaultPoints = [
  'before-extend',
  'after-extend',
  'before-booking-longer-commit',
  'after-booking-longer-commit',
] as const

/** The same of a session that somebody finishes; the node is asked between them. */
export const finishFaultPoints = ['before-finish', 'after-finish'] as const

/** The same of a list of people that is imported. */
export const importFaultPoints = ['within-import', 'before-import-commit', 'after-import-commit'] as const

/** Every write of a turn, whatever it is of; `name:n` takes the n-th of the process. */
export const turnFaultPoints = ['before-turn-commit', 'after-turn-commit'] as const

/** The same of a person who is shut out, and of what they have under way. */
export const suspendFaultPoints = [
  'before-suspend-commit',
  'after-suspend-commit',
  'before-suspended-stop-commit',
  'after-suspended-stop-commit',
] as const

/** The same of what a camera records of a session. */
export const recordingFaultPoints = ['before-recording-commit', 'after-recording-commit'] as const

/** All of them. */
export const hubFaultPoints = [
  ...faultPoints,
  ...brokerFaultPoints,
  ...bookingFaultPoints,
  ...recurringFaultPoints,
  ...checkFaultPoints,
  ...lostFaultPoints,
  ...benchFaultPoints,
  ...bookingStartFaultPoints,
  ...bookingLetterFaultPoints,
  ...bumpFaultPoints,
  ...bookingEndFaultPoints,
  ...bookingAgainFaultPoints,
  ...extendFaultPoints,
  ...finishFaultPoints,
  ...importFaultPoints,
  ...turnFaultPoints,
  ...suspendFaultPoints,
  ...recordingFaultPoints,
] as const
export type FaultPoint = (typeof hubFaultPoints)[number]

/** Called as the hub passes a named place; absent outside tests. */
export type FaultHook = (name: FaultPoint) => void
