/**
 * Whose the runs of checks are. There is no account of it: nobody can sign in as it, it is in no list of people, and no
 * permission, quota or fairness knows of it.
 */
export const CHECKS_PERSON = { id: 'bench-checks', name: 'Bench checks' } as const
