import { beforeEach, describe, expect, test } from 'vitest';
import {
  findRepository,
  installRepositories,
  listRepositories,
  loadRepository,
  suspendRepositories,
  suspension,
  unsuspendInstallation,
  unsuspendRepository,
  upsertRepository,
} from '../../src/db/repositories.ts';
import { emptyTables, testDatabase } from '../database.ts';

const { db } = await testDatabase();
beforeEach(() => emptyTables(db));

const web = { id: 1, owner: 'acme', name: 'web', installationId: 7 };

describe('SEC-E-08 a repository is its numeric id', () => {
  test('a rename is followed, with the same binding', async () => {
    await upsertRepository(db, web);
    await upsertRepository(db, { ...web, name: 'site' });
    expect(await loadRepository(db, 1)).toEqual({ ...web, name: 'site', suspended: null });
    expect(await findRepository(db, 'ACME', 'Site')).toMatchObject({ id: 1 });
    expect(await findRepository(db, 'acme', 'web')).toBeNull();
  });

  test('a change of case in the owner is no transfer', async () => {
    await upsertRepository(db, web);
    const seen = await upsertRepository(db, { ...web, owner: 'Acme' });
    expect(seen.repository).toMatchObject({ owner: 'Acme', suspended: null });
  });

  test('a transfer to another owner suspends it until somebody confirms', async () => {
    await upsertRepository(db, web);
    const moved = await upsertRepository(db, { ...web, owner: 'evil' });
    expect(moved.repository.suspended).toBe(suspension.transferred);
    await upsertRepository(db, { ...web, owner: 'evil' });
    expect((await loadRepository(db, 1))?.suspended).toBe(suspension.transferred);
    await unsuspendRepository(db, 1);
    expect((await loadRepository(db, 1))?.suspended).toBeNull();
  });

  test('an installation by the new owner confirms a transfer', async () => {
    await upsertRepository(db, web);
    await upsertRepository(db, { ...web, owner: 'umbrella' });
    await installRepositories(db, [{ ...web, owner: 'umbrella', installationId: 9 }]);
    expect(await loadRepository(db, 1)).toMatchObject({ owner: 'umbrella', installationId: 9, suspended: null });
  });

  test('deleted and made again under the same name, it is another repository', async () => {
    await upsertRepository(db, web);
    await upsertRepository(db, { ...web, id: 2 });
    expect(await findRepository(db, 'acme', 'web')).toMatchObject({ id: 2 });
    expect(await listRepositories(db)).toHaveLength(2);
  });
});

test('SEC-E-07 another installation is not believed, and changes nothing', async () => {
  await upsertRepository(db, web);
  const seen = await upsertRepository(db, { ...web, owner: 'evil', name: 'x', installationId: 8 });
  expect(seen).toEqual({ outcome: 'foreign-installation', repository: { ...web, suspended: null } });
  expect(await loadRepository(db, 1)).toEqual({ ...web, suspended: null });
});

describe('the App comes and goes', () => {
  test('suspended as a whole, and back', async () => {
    await installRepositories(db, [web, { ...web, id: 2, name: 'shop' }, { ...web, id: 3, installationId: 8 }]);
    await suspendRepositories(db, { installationId: 7 }, suspension.installation);
    const suspended = (await listRepositories(db)).filter((one) => one.suspended === suspension.installation);
    expect(suspended.map((one) => one.id)).toEqual([2, 1]);
    await installRepositories(db, [web]);
    expect((await loadRepository(db, 1))?.suspended).toBe(suspension.installation);
    await unsuspendInstallation(db, 7);
    expect((await listRepositories(db)).every((one) => one.suspended === null)).toBe(true);
  });

  test('removed from one repository, and added again', async () => {
    await installRepositories(db, [web]);
    await suspendRepositories(db, { ids: [1] }, suspension.removed);
    await suspendRepositories(db, { ids: [1] }, 'a later reason');
    expect((await loadRepository(db, 1))?.suspended).toBe(suspension.removed);
    await installRepositories(db, [{ ...web, installationId: 11 }]);
    expect(await loadRepository(db, 1)).toMatchObject({ installationId: 11, suspended: null });
  });
});
