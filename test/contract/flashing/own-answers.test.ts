/** A board without a boot loader, which answers by itself; and one that one can touch. */
import { flashContract, flashRealBoard } from '../flash-contract.ts'

flashContract('a board that answers STK500v1 itself', {})
flashRealBoard('FERNLAB_TEST_FLASH')
