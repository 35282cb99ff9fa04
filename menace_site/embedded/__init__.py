"""PostgreSQL and Valkey without an administrator: found, started, shared, and gone with their last user.

`addresses` says where the servers answer (pure arithmetic on the data directory), `services` makes sure
that they do. The rest is how: `binaries` finds the programs, `postgres` and `valkey` run them, `launch` and
`leash` make sure that nothing outlives its owner, `keeper` shares one pair of servers between commands.
"""
