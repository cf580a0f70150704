/** A board with the Uno's own boot loader in its flash, which writes flash by its own instructions. */
import { buildOptiboot } from '../../support/boards/toolchain.ts'
import { flashContract } from '../flash-contract.ts'

flashContract('optiboot', { bootLoader: await buildOptiboot() })
