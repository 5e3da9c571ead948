"""The proxy that the admin shows tokens through; it changes no table."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = (("authtoken", "0004_alter_tokenproxy_options"),)

    operations = (
        migrations.CreateModel(
            name="UserToken",
            fields=[],
            options={
                "verbose_name": "token",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("authtoken.token",),
        ),
    )
