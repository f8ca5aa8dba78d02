"""x"""

from console.services import ConsoleServices


def register(services: ConsoleServices) -> None:
    """x"""
