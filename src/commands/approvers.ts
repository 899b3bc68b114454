import type { Explanation, GateFacts, OwnedFiles, PersonFacts } from './gate.ts';
import type { ApproverGroup, Approvers, GatePolicy } from './gate-policy.ts';

/** Who is among the approvers that a policy names, and whether enough of them said yes. */

type Owners = Pick<GateFacts, 'owners'>;

/** Undefined when the person is among them. */
export function whyNotAmong(approvers: Approvers, person: PersonFacts, facts: Owners): string | undefined {
  if (!hasPermission(approvers, person))
    return `${approvers.permission} access is needed, and there is ${accessWords(person.permission)}`;
  if (!isListed(approvers, person, facts)) return `only people ${listWords(approvers)} count`;
  const groups = [...approvers.anyOf, ...approvers.allOf];
  if (groups.length === 0 || groups.some((group) => whyNotAmong(group, person, facts) === undefined)) return undefined;
  return `only people of these groups count: ${groups.map(needWords).join('; ')}`;
}

/** The tree for one group: holds when enough people of it approved and everything below it holds too. */
export function approversHold(
  group: ApproverGroup,
  approved: readonly PersonFacts[],
  could: readonly PersonFacts[],
  facts: Owners,
): Explanation {
  const isAmong = (person: PersonFacts) => whyNotAmong(group, person, facts) === undefined;
  const counted = approved.filter(isAmong);
  const all = group.allOf.map((inner) => approversHold(inner, approved, could, facts));
  const any = group.anyOf.map((inner) => approversHold(inner, approved, could, facts));
  const owners = group.codeowners ? ownersHold(approved, could, facts) : [];
  const children = [...all, ...(any.length > 0 ? [oneOf(any)] : []), ...owners];
  return {
    holds: counted.length >= group.count && children.every((child) => child.holds),
    text: needWords(group),
    countedLogins: logins(counted),
    couldLogins: logins(could.filter(isAmong)),
    children,
  };
}

function oneOf(children: readonly Explanation[]): Explanation {
  return {
    holds: children.some((child) => child.holds),
    text: 'one of these',
    countedLogins: unique(children.flatMap((child) => child.countedLogins)),
    couldLogins: unique(children.flatMap((child) => child.couldLogins)),
    children,
  };
}

/** Every touched file that has owners needs one of them, as GitHub asks for reviews. */
function ownersHold(
  approved: readonly PersonFacts[],
  could: readonly PersonFacts[],
  { owners }: Owners,
): Explanation[] {
  if (owners === 'unknown')
    return [
      {
        holds: false,
        text: 'owners of the touched files (which files are touched is not known, so this cannot be told)',
        countedLogins: [],
        couldLogins: [],
        children: [],
      },
    ];
  return owners
    .filter((owned) => owned.owners.length > 0)
    .map((owned) => {
      const counted = approved.filter((person) => owns(owned, person));
      return {
        holds: counted.length > 0,
        text: `an owner of ${fileWords(owned)} (${owned.owners.join(', ')})`,
        countedLogins: logins(counted),
        couldLogins: logins(could.filter((person) => owns(owned, person))),
        children: [],
      };
    });
}

function hasPermission(approvers: Approvers, person: PersonFacts): boolean {
  if (person.permission === 'admin') return true;
  return approvers.permission === 'write' && person.permission === 'write';
}

function isListed(approvers: Approvers, person: PersonFacts, { owners }: Owners): boolean {
  const hasOwners = owners === 'unknown' || owners.some((owned) => owned.owners.length > 0);
  const isOpen = approvers.users.length === 0 && approvers.teams.length === 0 && !(approvers.codeowners && hasOwners);
  return isOpen || isUser(approvers, person) || isMember(approvers.teams, person) || isOwner(approvers, person, owners);
}

function isUser(approvers: Approvers, person: PersonFacts): boolean {
  return approvers.users.some((user) => (typeof user === 'number' ? user === person.id : same(user, person.login)));
}

function isMember(teams: readonly string[], person: PersonFacts): boolean {
  return teams.some((team) => person.teams.some((membership) => same(membership, team)));
}

function isOwner(approvers: Approvers, person: PersonFacts, owners: GateFacts['owners']): boolean {
  return approvers.codeowners && owners !== 'unknown' && owners.some((owned) => owns(owned, person));
}

/** An owner written as an e-mail address cannot be told to be an account, so it never matches. */
function owns(owned: OwnedFiles, person: PersonFacts): boolean {
  return owned.owners.some((owner) => {
    if (!owner.startsWith('@')) return false;
    const name = owner.slice(1);
    return name.includes('/') ? isMember([name], person) : same(name, person.login);
  });
}

/** What a group asks for, without its own groups: `2 people with write access, among team acme/release`. */
function needWords(group: ApproverGroup): string {
  const people = group.count === 1 ? '1 person' : `${group.count} people`;
  const access = group.permission === 'admin' ? ' with admin access' : ' with write access';
  const isOpen = group.users.length === 0 && group.teams.length === 0 && !group.codeowners;
  return `${people}${access}${isOpen ? '' : ` ${listWords(group)}`}`;
}

/** A whole policy in one line, for people who are not yet at its gate. */
export function policyWords(policy: GatePolicy): string {
  return groupWords({ ...policy.from, count: policy.count });
}

function groupWords(group: ApproverGroup): string {
  const all = group.allOf.map((inner) => `, and ${groupWords(inner)}`).join('');
  const any = group.anyOf.length === 0 ? '' : `, and either ${group.anyOf.map(groupWords).join(' or ')}`;
  return `${needWords(group)}${all}${any}`;
}

function listWords(approvers: Approvers): string {
  const users = approvers.users.map((user) => (typeof user === 'number' ? `account ${user}` : user));
  const names = [...users, ...approvers.teams.map((team) => `team ${team}`)];
  return `among ${[...names, ...(approvers.codeowners ? ['the owners of the touched files'] : [])].join(', ')}`;
}

function accessWords(permission: PersonFacts['permission']): string {
  return permission === 'none' ? 'none' : `only ${permission} access`;
}

function fileWords({ files, more = 0 }: OwnedFiles): string {
  const [first = 'no file', ...others] = files;
  const count = others.length + more;
  return count === 0 ? first : `${first} and ${count} more`;
}

function logins(people: readonly PersonFacts[]): string[] {
  return people.map(({ login }) => login);
}

function unique(names: readonly string[]): string[] {
  return Array.from(new Set(names));
}

/** GitHub's names ignore ASCII case; other letters cannot be in them, so they must not be folded into it. */
function same(a: string, b: string): boolean {
  return a === b || (/^[\x20-\x7E]*$/.test(a + b) && a.toLowerCase() === b.toLowerCase());
}
