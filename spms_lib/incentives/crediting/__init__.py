"""Crediting: who is credited with which sale, and what each payee is measured against."""
