-- Who may do what in the database. `ops/postgres/apply-roles` runs it as the owner of the ledger,
-- once `registro init` has made the tables; repeating it brings everything back to what stands here.
--
--   owner                  makes the ledger; used for nothing else
--   registro_reader        reads ledger and read models
--   registro_writer        reads both, and appends to the ledger
--   registro_<service>     logs in; the projector owns the database of the read models

-- Passwords never enter the server's log.
SELECT set_config(name, value, false)
  FROM (VALUES ('log_statement', 'none'), ('log_min_error_statement', 'panic')) AS quiet (name, value)
  WHERE (SELECT usesuper FROM pg_user WHERE usename = current_user)
\g /dev/null

SELECT format('CREATE ROLE %I', name)
  FROM (VALUES ('registro_reader'), ('registro_writer'), ('registro_publisher'),
               ('registro_intake'), ('registro_projector'), ('registro_app')) AS wanted (name)
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
GRANT registro_reader TO registro_publisher, registro_projector;
GRANT registro_writer TO registro_intake, registro_app;

\set word `cat "$SECRETS/postgres_publisher_password"`
ALTER ROLE registro_publisher LOGIN PASSWORD :'word';
\set word `cat "$SECRETS/postgres_intake_password"`
ALTER ROLE registro_intake LOGIN PASSWORD :'word';
\set word `cat "$SECRETS/postgres_projector_password"`
ALTER ROLE registro_projector LOGIN PASSWORD :'word';
\set word `cat "$SECRETS/postgres_app_password"`
ALTER ROLE registro_app LOGIN PASSWORD :'word';
\unset word

REVOKE ALL ON DATABASE :"ledger" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"ledger" TO registro_reader, registro_writer;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM registro_reader, registro_writer;
GRANT SELECT ON record, store_format TO registro_reader, registro_writer;
GRANT INSERT ON record TO registro_writer;

SELECT format('CREATE DATABASE %I OWNER registro_projector TEMPLATE template0 ENCODING UTF8', :'views')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'views')
\gexec
\connect :"views"
REVOKE ALL ON DATABASE :"views" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"views" TO registro_reader, registro_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO registro_reader, registro_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE registro_projector IN SCHEMA public
  GRANT SELECT ON TABLES TO registro_reader, registro_writer;
