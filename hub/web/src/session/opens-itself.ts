import type { Session } from '@fernlab/shared/contracts/sessions'

/** Whether there is nothing to do in it but on the page of the lab's own server, which then comes in place of the session's. */
export const opensItself = ({ ownServer, panel, page }: Session): boolean =>
  ownServer === true && panel === undefined && page !== true
