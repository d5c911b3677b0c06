"""Exports of CRM systems: which of their headers is which of our columns, and what their words mean."""

from spms_lib.sources.crm.derive import derive
from spms_lib.sources.crm.export import CRMS, Export, crm_export

__all__ = ["CRMS", "Export", "crm_export", "derive"]
