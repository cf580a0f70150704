import type { GuestNeed } from '../../support/kernel/need.ts'

/** Chips of which lines can be hogged, made by the test through configfs. */
export const need: GuestNeed = { modules: ['gpio-sim'] }
