-- Who may do what in the database. `ops/postgres/apply-roles` runs it as the owner of the ledger,
-- once `registro init` has made the tables. Repeating it brings back to what stands here: which of
-- these roles may log in or administer, who is a member of whom, and what they may do with the two
-- databases and with what is in their schema `public`. Whoever else was made a member, or was given
-- something there by way of PUBLIC, loses it.
--
--   owner                  makes the ledger; used for nothing else
--   registro_reader        reads ledger and read models
--   registro_writer        reads both, and appends to the ledger
--   registro_<service>     logs in; the projector owns the database of the read models

\set ours '(''registro_reader'', false), (''registro_writer'', false), (''registro_publisher'', true), (''registro_intake'', true), (''registro_projector'', true), (''registro_app'', true)'

-- In one transaction: services that run never miss what they need.
BEGIN;
SELECT format('CREATE ROLE %I', name)
  FROM (VALUES :ours) AS ours (name, service)
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

-- Only what is wrong is named: an owner who is no superuser may not even name NOSUPERUSER.
SELECT format('ALTER ROLE %I %s', name, wanted)
  FROM (VALUES :ours) AS ours (name, service)
  JOIN pg_roles ON rolname = name
  CROSS JOIN LATERAL (VALUES
    (rolsuper, 'NOSUPERUSER'), (rolcreatedb, 'NOCREATEDB'), (rolcreaterole, 'NOCREATEROLE'),
    (rolreplication, 'NOREPLICATION'), (rolbypassrls, 'NOBYPASSRLS'), (NOT rolinherit, 'INHERIT'),
    (rolcanlogin AND NOT service, 'NOLOGIN'), (service AND NOT rolcanlogin, 'LOGIN')
  ) AS found (wrong, wanted)
  WHERE wrong
\gexec

-- The owner may be a member because it made the roles: it administers them by that.
SELECT format('REVOKE %I FROM %I', role.rolname, member.rolname)
       || coalesce(' GRANTED BY ' || quote_ident(grantor.rolname), '') || ' CASCADE'
  FROM pg_auth_members AS given
  JOIN pg_roles AS role ON role.oid = given.roleid
  JOIN pg_roles AS member ON member.oid = given.member
  LEFT JOIN pg_roles AS grantor ON grantor.oid = given.grantor
  WHERE member.rolname <> current_user
    AND EXISTS (SELECT FROM (VALUES :ours) AS ours (name, service)
                WHERE name IN (role.rolname, member.rolname))
\gexec
GRANT registro_reader TO registro_publisher, registro_projector;
GRANT registro_writer TO registro_intake, registro_app;

\set everybody 'PUBLIC, registro_reader, registro_writer, registro_publisher, registro_intake, registro_app'
REVOKE ALL ON DATABASE :"ledger" FROM :everybody, registro_projector CASCADE;
REVOKE CREATE ON SCHEMA public FROM :everybody, registro_projector CASCADE;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :everybody, registro_projector CASCADE;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM :everybody, registro_projector CASCADE;
GRANT CONNECT ON DATABASE :"ledger" TO registro_reader, registro_writer;
GRANT SELECT ON record, store_format TO registro_reader, registro_writer;
GRANT INSERT ON record TO registro_writer;
COMMIT;

SELECT format('CREATE DATABASE %I OWNER registro_projector TEMPLATE template0 ENCODING UTF8', :'views')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'views')
\gexec
\connect :"views"
BEGIN;
REVOKE ALL ON DATABASE :"views" FROM :everybody CASCADE;
REVOKE CREATE ON SCHEMA public FROM :everybody CASCADE;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :everybody CASCADE;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM :everybody CASCADE;
GRANT CONNECT ON DATABASE :"views" TO registro_reader, registro_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO registro_reader, registro_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE registro_projector IN SCHEMA public
  GRANT SELECT ON TABLES TO registro_reader, registro_writer;
COMMIT;
