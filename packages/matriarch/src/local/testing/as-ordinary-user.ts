/** As root, everything in a test that is different for other users is tried as one of them. */
const NOBODY = 65_534;

const { geteuid, seteuid } = process;

export const isRoot = geteuid?.() === 0;

/** Does the work with the rights of a user who may do nothing special; synchronous. */
export const asOrdinaryUser = <T>(work: () => T): T => {
  if (!isRoot || seteuid === undefined) return work();
  seteuid(NOBODY);
  try {
    return work();
  } finally {
    seteuid(0);
  }
};
