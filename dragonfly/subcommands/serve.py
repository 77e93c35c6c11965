"""The verb that runs a service: serve."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from dragonfly.core.broker_address import Broker, parsed_addresses
from dragonfly.core.credentials import CredentialsError
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError, ServiceStartError
from dragonfly.status_log_handlers import Source, beside_the_terminal
from dragonfly.subcommands.broker_choice import preferred_broker
from dragonfly.subcommands.collector import collect_rarely
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.signals import calling_on_signals, interrupted_by_sigterm
from dragonfly.subcommands.whole_service import whole_service

if TYPE_CHECKING:
    from dragonfly.core.service import Service
    from dragonfly.loader import Config

logger = logging.getLogger(__name__)


class Serve:
    """Run the service of a config file until Ctrl-C or SIGTERM."""

    example = "dragonfly serve -c examples/kv_store_tutorial.yaml"

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
        from dragonfly.subcommands.allocator import give_back_large_blocks

        give_back_large_blocks()

        with interrupted_by_sigterm(), ExitStack() as places:
            try:
                _serve(args, places)
            except ConfigError as err:
                return CommandError(Status.BAD_CONFIG, *map(str, err.problems)).report(logger)
            except CommandError as err:
                return err.report(logger)
            except (CredentialsError, DriplineAMQPConnectionError) as err:
                # The service cannot go on, and a person must know.
                return command_error(err).report(logger, logging.CRITICAL)
            except (ServiceStartError, DriplineError) as err:
                return CommandError(Status.NOT_SERVING, str(err)).report(logger, logging.CRITICAL)
            except KeyboardInterrupt:
                logger.info("interrupted before the service was there")
        return Status.SUCCESS


def _serve(args: argparse.Namespace, places: ExitStack) -> None:
    def made(service: Service) -> None:
        logger.info("starting %s", service.name)
        service.connect()
        settings = service.settings
        channel = "" if args.no_slack else settings.slack_channel
        source = Source(service.name, service.send_alert, settings.status_alerts, channel)
        places.enter_context(beside_the_terminal(source))

    def overrides(config: Config) -> dict[str, Any]:
        return {"broker": _broker_instead(args.broker, config.broker), "keys": args.keys}

    # From its block on the first signal asks the service to stop, and the second not to wait.
    with whole_service(args.config, overrides, made) as (_, service), calling_on_signals(service.request_stop):
        collect_rarely()
        service.run()


def _broker_instead(option: str | None, in_file: Broker) -> Broker:
    """Return the broker that replaces the file's; None where the file's stands, or nobody names one.

    Raises:
        CommandError: it is no address.
    """
    broker = preferred_broker(option, in_file)
    try:
        parsed_addresses(broker)
    except DriplineError as err:
        raise command_error(err) from err
    return None if broker is in_file else broker
