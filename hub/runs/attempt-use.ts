/** How an attempt ended that was of no use to its person: its bench time counts for nothing. */
export const ofNoUse = ['refused', 'broken', 'unready', 'bumped'] as const
