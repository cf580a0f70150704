/** The policy of a page refuses functions that are made of text: nothing tries to make any. */
import { config } from 'zod'

config({ jitless: true })
