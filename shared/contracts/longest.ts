/** How long what opens a bench or a node lasts at most, unless it is renewed. */

/** A bench is held without word from its hub for so long: one that is stopped ends nothing before. */
export const LONGEST_LEASE_S = 600
/** 31 days: of a token that a node takes, its own too. */
export const LONGEST_TOKEN_S = 31 * 24 * 3600
