"""What an installation chooses: read from callanalysis.toml, then CALLANALYSIS_* variables, then options.

It knows names and defaults, and opens nothing.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PROJECT = Path(__file__).resolve().parent.parent  # the checkout, which holds models/ and sample_calls/


class SpeechSettings(BaseModel):
    """Which recogniser, and how it listens."""

    model: str = "demo"  # an official name, a path, or "demo"
    language: str | None = None  # "zh", "en", or None to detect it per call
    threads: int | None = None
    word_times: bool = False
    batch: int = Field(default=8, ge=1)


class AudioSettings(BaseModel):
    """How recordings are read."""

    collector_channel: int = Field(default=0, ge=0, le=1)
    max_hours: float = Field(default=4.0, gt=0)


class Settings(BaseSettings):
    """All settings; nested names are joined with two underscores in variables: CALLANALYSIS_SPEECH__MODEL."""

    model_config = SettingsConfigDict(
        env_prefix="CALLANALYSIS_", env_nested_delimiter="__", toml_file="callanalysis.toml", extra="ignore"
    )

    db: str = "sqlite:///callanalysis.db"
    timezone: str = "Asia/Shanghai"  # of times without zone in call lists and transcripts
    models: Path = PROJECT / "models"
    tagger: str = "tagger"  # a folder under `models`, or a path
    speech: SpeechSettings = SpeechSettings()
    audio: AudioSettings = AudioSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options win over variables, variables over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
