/** By which lists of bookings are told apart, for who needs no schema of them. */

/** Those to come and the ones that are on, those that are over, and the others. */
export const bookingWhens = ['to-come', 'past', 'cancelled', 'missed'] as const
export type BookingWhen = (typeof bookingWhens)[number]
