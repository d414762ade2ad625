/** The owner of the example account's key. */
const ines = '41829063';

/** A colleague who owns some of the elements that the key can read. */
const jonas = '55301274';

/** A former colleague, who has left the team and still owns an old collection. */
const mara = '17650328';

/**
 * Fixed ids of the example account, in the form that lookups take: ids of workspaces, uids of everything else. The
 * comments say what each has that examples and tests can use.
 */
export const ids = {
  users: { ines, jonas, mara },
  team: 90417,
  workspaces: {
    /** Personal. Holds a fork whose name equals its parent's. */
    personal: '9faac515-6888-4503-9113-b681663ddefb',
    /** Team. The main workspace: rides, stations, prices. */
    riderPlatform: '920c60b3-e921-407f-86d1-2e8362091549',
    /** Private. Everything in it belongs to Jonas or Mara. */
    payments: 'c6d79523-3eca-4f9c-a786-228296cd1e92',
    /** Public. */
    openData: 'f530cdf9-e9c0-4add-b319-ea783a25cb93',
    /** Team. Smoke tests and the large generated collection. */
    release: '2c56516c-ae6e-480e-a007-cfc0c2f90a38',
    /** Partner. Shares the Rides API with `riderPlatform`. */
    cityPilot: '3d1c4676-1c9f-4685-ae59-7176dc0f64cb',
    /** Team. Empty. */
    archive: 'b2258b18-a2f4-4e2d-9c61-f17e9dd44917',
  },
  collections: {
    /** Folders four deep, examples, scripts, bearer authorization. Is in two workspaces. */
    rides: `${ines}-cedc1b01-c2ed-416a-a270-14525fa92797`,
    /** Path variables, flags, disabled rows, descriptions of both kinds. */
    stations: `${ines}-37c9f79a-d6f1-417d-a6a3-ddb176f9d80f`,
    /** GraphQL bodies. */
    pricing: `${ines}-2ae9c39c-4f1a-488b-9887-fafc1d0ea041`,
    /** No items. */
    telemetryDraft: `${ines}-55cfb165-79a6-496a-b935-94bb35c66690`,
    /** Basic, API key, OAuth 2.0 and no authorization, literal secrets. Owned by Jonas. */
    payments: `${jonas}-bbd8c730-0cad-435e-a2d4-a4fb7a73e92f`,
    /** File uploads, XML. Owned by Jonas. */
    settlement: `${jonas}-8e105925-231f-418a-9a6b-969d8b126a04`,
    /** Digest, Hawk, JWT and AWS authorization. Owned by Jonas. */
    webhooks: `${jonas}-9e6671c3-e653-4add-9734-e977534d7134`,
    /** Public; the parent of the fork. */
    openData: `${ines}-7e0e25c8-8457-46da-8200-6a0925d4349c`,
    /** Fork of `openData`, with the same name. */
    openDataFork: `${ines}-263ef4f4-a7e1-48c3-bb41-6ecdf633e669`,
    /** Scripts, a node that is neither request nor folder, two requests with the same name. */
    smoke: `${ines}-3cec6c89-4647-4218-9adb-fc92270056b6`,
    /** 300 generated requests. */
    regression: `${ines}-59c491bd-b9c6-4389-aceb-d5bd5166fdaf`,
    /** An old collection: URLs and requests are plain text. Owned by Mara, who has left the team. */
    legacyDispatch: `${mara}-208de09e-4c8f-4b37-82f8-bfbdca0111df`,
    /** A scratchpad of two requests. */
    scratch: `${ines}-081c17f6-9c85-460f-84d2-c8254b9b13b0`,
  },
  environments: {
    local: `${ines}-ff00863d-1ace-4c17-90c4-ecf625419cbc`,
    staging: `${ines}-ac40f7f4-8d9c-456e-a042-93eaa1f926d7`,
    /** A secret in clear text, a disabled value, and a secret in a vault. */
    production: `${ines}-225450df-1af0-47d5-95ff-590a32f4f123`,
    /** Owned by Jonas. */
    paymentsSandbox: `${jonas}-2ef26886-06f9-4b82-9485-f3216752cbd8`,
    /** Owned by Jonas; nearly every value is secret. */
    paymentsLive: `${jonas}-48e28527-8e09-418f-ad19-ea4fcea985d5`,
    openData: `${ines}-42defc3b-ba8c-48b2-bfc4-ad32fd9c8603`,
    /** No values. */
    blank: `${ines}-deaedb0f-0bdb-4a48-a27f-0ed8e586eb5c`,
  },
  mocks: {
    /** Private and slow, with an environment. */
    rides: `${ines}-83a22424-9f4e-53e4-963c-71457b4c88f8`,
    /** Public, without an environment; sends the same response for every call. Owned by Jonas. */
    stations: `${jonas}-32c147b6-423d-51d6-a31d-b524e773e2ae`,
    /** Deactivated. */
    pricing: `${ines}-b4b0a5e2-6a0b-4d0e-9d4e-4a55a6f2c1d7`,
    /** Owned by Jonas. */
    payments: `${jonas}-5f0c9e51-2d17-4c3b-8a86-7c1e0b9d4f23`,
    /** Its collection was deleted. */
    nightly: `${ines}-e81d6c0f-97a4-4b62-b3f5-0d2c8a7e1946`,
  },
} as const;
