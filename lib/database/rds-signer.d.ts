/** The part in use of a package that Lambda's runtime brings and that is not installed here. Region and credentials come from its environment. */
declare module '@aws-sdk/rds-signer' {
  export class Signer {
    constructor(target: { hostname: string; port: number; username: string });
    getAuthToken(): Promise<string>;
  }
}
