"""The verb that runs a service: serve."""

from __future__ import annotations

import argparse
import logging

from dragonfly.core.credentials import parsed_address
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError, ServiceStartError
from dragonfly.subcommands.broker_choice import environment_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.signals import calling_on_signals, interrupted_by_sigterm

logger = logging.getLogger(__name__)


class Serve:
    """Run the service of a config file until Ctrl-C or SIGTERM."""

    failure_status = Status.NOT_SERVING

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument(
            "-k", "--keys", metavar="BINDING_KEYS", action="append", help="amqp binding keys to match against"
        )

    def __call__(self, args: argparse.Namespace) -> int:
        """Serve, and return the exit status."""
        if args.config is None:
            logger.error("serve needs a config file: dragonfly serve -c FILE")
            return Status.USAGE

        from dragonfly.loader import ConfigError  # it loads YAML and pika, which -h does not need

        try:
            with interrupted_by_sigterm():
                _serve(args)
        except ConfigError as err:
            return CommandError(Status.BAD_CONFIG, *map(str, err.problems)).report(logger)
        except CommandError as err:
            return err.report(logger)
        except DriplineAMQPConnectionError as err:
            return command_error(err).report(logger)
        except (ServiceStartError, DriplineError) as err:
            return CommandError(Status.NOT_SERVING, str(err)).report(logger)
        except KeyboardInterrupt:
            logger.info("interrupted before the service was there")
        return Status.SUCCESS


def _serve(args: argparse.Namespace) -> None:
    from dragonfly.loader import load

    config = load(args.config)
    logger.info("starting %s", config.name)
    service = config.build_service(broker=_broker_instead(args.broker, config.broker), keys=args.keys)
    try:
        service.connect()
        config.build_endpoints(service)
        # From here on the first signal asks the service to stop, and the second not to wait.
        with calling_on_signals(service.request_stop):
            service.run()
    finally:
        service.stop()


def _broker_instead(option: str | None, in_file: str | None) -> str | None:
    """Return the broker that replaces the file's; None where the file's stands, or nobody names one.

    Raises:
        CommandError: it is no address.
    """
    broker = option
    if broker is None and in_file is None:
        broker = environment_broker()
    try:
        parsed_address(broker)
    except DriplineError as err:
        raise command_error(err) from err
    return broker
