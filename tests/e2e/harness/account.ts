import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Who PostgreSQL runs as: `postgres` when the tests run as root, else whoever runs them. */
export const findServerAccount = (): Account => {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const id = (option: string): number =>
    Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
};
