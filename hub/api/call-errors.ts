/** Codes that several calls can be answered with, since they have the same done for them. */
import type { KnownCode } from './error-codes.ts'

/** Of what becomes a run. */
export const submissionErrors = [
  'not-permitted',
  'account-suspended',
  'reservations-full',
  'quota-used',
  'never-open-so-long',
  'model-not-supported',
  'no-bench',
  'bench-unknown',
  'protocol-refused',
  'parameters-invalid',
  'runs-refused',
] as const satisfies readonly KnownCode[]

/** Of what takes a bench for a time. */
export const bookingErrors = [
  'lab-unknown',
  'bench-unknown',
  'no-bench',
  'not-permitted',
  'quota-used',
  'booking-too-long',
  'booking-in-past',
  'booking-too-far',
  'booking-invalid',
  'booking-conflict',
  'booking-overlaps-own',
  'bookings-too-many',
  'reservations-full',
] as const satisfies readonly KnownCode[]

/** Of the link that a registration was sent. */
export const registrationErrors = [
  'link-used-or-expired',
  'address-taken',
  'registration-closed',
  'domain-not-permitted',
  'too-many-attempts',
] as const satisfies readonly KnownCode[]
