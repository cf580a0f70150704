import { unoAtUsb } from '../../support/kernel/uno-at-usb.ts'

export const need = unoAtUsb('FLFOUND')
