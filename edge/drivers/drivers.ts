import type { I2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { createBoardDriver } from './board/board.ts'
import { createCameraDriver } from './camera/camera.ts'
import type { Driver } from './driver.ts'
import { createFirmataDriver } from './firmata/firmata.ts'
import { createGpioDriver } from './gpio/gpio.ts'
import { createHttpDriver } from './http/http.ts'
import { createI2cDriver } from './i2c/i2c.ts'
import { createLabServerDriver } from './lab-server/lab-server.ts'
import { createLinesDriver } from './lines/lines.ts'
import { createModbusDriver } from './modbus/modbus.ts'
import { createOneWireDriver } from './one-wire/one-wire.ts'
import { createOwnDriver } from './own/own.ts'
import { createProcessDriver } from './process/process.ts'
import { createScpiDriver } from './scpi/scpi.ts'
import { createSimulatedDriver } from './simulated/simulated.ts'

/** The drivers that come with Fernlab; `i2c`: buses that others use too. */
export function builtInDrivers({ i2c }: { readonly i2c?: I2cBuses } = {}): Driver[] {
  return [
    createCameraDriver(),
    createScpiDriver(),
    createLinesDriver(),
    createHttpDriver(),
    createModbusDriver(),
    createSimulatedDriver(),
    createLabServerDriver(),
    createProcessDriver(),
    createOwnDriver(),
    createI2cDriver(i2c),
    createOneWireDriver(),
    createGpioDriver(),
    createBoardDriver(),
    createFirmataDriver(),
  ]
}
