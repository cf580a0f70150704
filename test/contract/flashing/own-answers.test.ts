/** A board without a boot loader, which answers by itself. */
import { flashContract } from '../flash-contract.ts'

flashContract('a board that answers STK500v1 itself', {})
