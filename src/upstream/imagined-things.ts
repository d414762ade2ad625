import { toImaginedName } from './imagination.ts';
import type { CollectionSummary, Fork } from './postman/collections.ts';
import type { EnvironmentSummary } from './postman/environments.ts';
import { toIdOfUid } from './uid.ts';

/** A ref to what is only imagined. All there is to say of it is said when it is asked for: of thousands of items nearly nothing is. */
export class ImaginedRef {
  readonly uid: string;

  constructor(uid: string) {
    this.uid = uid;
  }

  get id(): string {
    return toIdOfUid(this.uid);
  }

  get name(): string {
    return toImaginedName(this.uid);
  }
}

/** An item of an imagined list of environments. */
export class ImaginedEnvironment extends ImaginedRef implements EnvironmentSummary {
  get createdAt(): null {
    return null;
  }

  get updatedAt(): null {
    return null;
  }

  get isPublic(): null {
    return null;
  }
}

/** An item of an imagined list of collections. */
export class ImaginedCollection extends ImaginedEnvironment implements CollectionSummary {
  readonly #parentOf: (uid: string) => string | null;

  /** @param parentOf - From which collection it was forked; null: it is no fork. */
  constructor(uid: string, parentOf: (uid: string) => string | null) {
    super(uid);
    this.#parentOf = parentOf;
  }

  get fork(): Fork | null {
    const parentUid = this.#parentOf(this.uid);
    return parentUid === null ? null : { label: null, createdAt: null, parentUid };
  }
}
