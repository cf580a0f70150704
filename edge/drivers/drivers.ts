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

/** The drivers that come with Fernlab. */
export function builtInDrivers(): Driver[] {
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
    createI2cDriver(),
    createOneWireDriver(),
    createGpioDriver(),
    createBoardDriver(),
    createFirmataDriver(),
  ]
}
