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

/** The same of bookings as they begin. */
export const bookingStartFaultPoints = ['before-booking-start-commit', 'after-booking-start-commit'] as const

export type FaultPoint =
  | (typeof faultPoints)[number]
  | BrokerFaultPoint
  | (typeof bookingFaultPoints)[number]
  | (typeof recurringFaultPoints)[number]
  | (typeof bookingStartFaultPoints)[number]

/** Called as the hub passes a named place; absent outside tests. */
export type FaultHook = (name: FaultPoint) => void
