import type { CheckKind } from './check-kind.ts'
import { identifyKind } from './kinds/identify.ts'
import { pictureKind } from './kinds/picture.ts'
import { protocolKind } from './kinds/protocol.ts'
import { reachableKind } from './kinds/reachable.ts'

/** The kinds of checks that come with Fernlab. */
export function builtInCheckKinds(): CheckKind[] {
  return [reachableKind, identifyKind, pictureKind, protocolKind]
}
